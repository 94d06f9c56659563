/** Lower case, so that no two names look alike; no slash, which separates a user from an API key in the audit trail. */
export const USER_NAME = /^[a-z0-9][a-z0-9._@-]{0,63}$/;
