export default {
  schema: 'parallax/schema.graphql',
  documents: ['parallax/operations/{FrontPage,StoryPage}.graphql'],
  generates: {
    'types/gql/': {
      preset: 'client',
      presetConfig: {fragmentMasking: false},
      config: {
        strictScalars: true,
        scalars: {CountryCode: 'string', Date: 'string', DateTime: 'string', LanguageTag: 'string', URL: 'string'},
        useTypeImports: true,
        enumsAsTypes: true,
        emitLegacyCommonJSImports: false,
      },
    },
  },
};
