// What the types are for: none of these lines may compile.
import {StoryPageDocument, type Side, type StoryPageQuery, type StoryPageQueryVariables} from './gql/graphql.js';

export const document: string = StoryPageDocument;
export const noSlug: StoryPageQueryVariables = {};
export const noSide: Side = 'MIDDLE';
export const ofNull = (page: StoryPageQuery) => page.story.title;
export const ofUnion = (page: StoryPageQuery) => page.story?.coverage.factuality.ratedCount;
export const unasked = (page: StoryPageQuery) => page.story?.mergedFrom;
