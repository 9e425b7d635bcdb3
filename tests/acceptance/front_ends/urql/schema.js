import {minifyIntrospectionQuery} from '@urql/introspection';
import {buildSchema, introspectionFromSchema} from 'graphql';

/** The schema as Graphcache wants it, made of the text of the SDL: while building, not in a browser. */
export function schemaOf(sdl) {
  const introspected = introspectionFromSchema(buildSchema(sdl));
  return minifyIntrospectionQuery(introspected, {includeEnums: true, includeInputs: true, includeScalars: true});
}
