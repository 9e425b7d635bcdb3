"""The service's data as Strawberry's own documentation would have it served: types, resolvers and DataLoaders."""
