import type {KeyingConfig, ResolverConfig} from '@urql/exchange-graphcache';

export declare const keys: KeyingConfig;
export declare const resolvers: ResolverConfig;
