import type { NonEmpty } from '../shared/non-empty.js';

/**
 * A provider whose tokens have a documented shape, and what tells one of its customers from
 * another.
 */
export type Preset =
  | {
      preset: 'auth0';
      /** The tenant's host name, its own domain if it has one. */
      domain: string;
    }
  | {
      preset: 'entra-v1' | 'entra-v2';
      /** The tenant's id, a GUID. */
      tenant: string;
    }
  | {
      preset: 'auth0' | 'entra-v1' | 'entra-v2';
      /** Several of them: domains, or ids. */
      tenants: NonEmpty<string>;
    }
  | {
      preset: 'cognito' | 'cognito-access' | 'cognito-id';
      region: string;
      /** The ids of several user pools. */
      tenants: NonEmpty<string>;
    }
  | {
      preset: 'keycloak';
      url: string;
      /** Several realms. */
      tenants: NonEmpty<string>;
    }
  | {
      preset: 'okta';
      domain: string;
      /** The id of the custom authorization server: `'default'` by default. */
      authorizationServer?: string;
    }
  | { preset: 'cognito' | 'cognito-access' | 'cognito-id'; region: string; userPool: string }
  | { preset: 'google' | 'apple' }
  | {
      preset: 'keycloak';
      /** Where the server is, with its path if it has one. */
      url: string;
      realm: string;
    }
  | { preset: 'cloudflare-access'; team: string }
  | {
      preset: 'github-actions';
      /** The user or organisation whose repositories are trusted. */
      owner: string;
    }
  | { preset: 'kubernetes'; issuer: string }
  | {
      preset: 'clerk' | 'zitadel' | 'logto' | 'adfs';
      /** The host of the instance, tenant or farm. */
      domain: string;
    }
  | {
      preset: 'pingfederate';
      /** Where the server is, with its port. */
      url: string;
    }
  | {
      preset: 'fusionauth';
      /** Where the server is. */
      url: string;
      /** The tenant's id, a GUID. */
      tenant: string;
      /** As the tenant's settings name it. */
      issuer: string;
    }
  | {
      preset: 'azure-b2c';
      /** What stands before `b2clogin.com`. */
      tenantName: string;
      /** The tenant's id, a GUID. */
      tenant: string;
      /** The user flow or custom policy by which users sign in. */
      userFlow: string;
    }
  | { preset: 'google-iap' }
  | {
      preset: 'gitlab-ci';
      /** The id of the group or user whose projects are trusted. */
      namespaceId: string;
      /** A server of one's own: `https://gitlab.com` by default. */
      url?: string;
    };
