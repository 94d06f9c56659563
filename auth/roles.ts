/** What a caller may do. An API key carries some of these; a person has those of the role. */
export const SCOPES = ['predict', 'data', 'train', 'registry', 'release', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** `user` only predicts; `scientist` works with data and training; `deployer` decides what is served; `admin` does all. */
export const ROLES = ['user', 'scientist', 'deployer', 'admin'] as const;
export type Role = (typeof ROLES)[number];

const ROLE_SCOPES: Readonly<Record<Role, readonly Scope[]>> = {
  user: ['predict'],
  scientist: ['predict', 'data', 'train', 'registry'],
  deployer: ['predict', 'registry', 'release'],
  admin: SCOPES,
};
export const scopesOf = (role: Role): readonly Scope[] => ROLE_SCOPES[role];

/**
 * Who may call a route: everybody; whoever has proved who they are; or whoever has one of these scopes (never none:
 * that would be nobody).
 */
export type Access = 'public' | 'authenticated' | readonly [Scope, ...Scope[]];

/** Roles that may call a route, for its documentation and for the test that tries all of them. */
export function rolesAllowed(access: Access): readonly Role[] {
  if (access === 'public' || access === 'authenticated') return ROLES;
  return ROLES.filter((role) => scopesOf(role).some((scope) => access.includes(scope)));
}

/** An OpenAPI security requirement: without a credential, with any, or with one of the scopes. */
export function securityOf(access: Access): { readonly bearer: Scope[] }[] {
  if (access === 'public') return [];
  return access === 'authenticated' ? [{ bearer: [] }] : access.map((scope) => ({ bearer: [scope] }));
}
