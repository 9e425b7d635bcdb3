import type {PossibleTypesMap, TypePolicies} from '@apollo/client/cache';

export declare const possibleTypes: PossibleTypesMap;
export declare const typePolicies: TypePolicies;
