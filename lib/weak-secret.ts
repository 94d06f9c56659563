const PLACEHOLDER =
  /change.?(me|this|it)|your.?(jwt.?|own.?)?(secret|key|password)|secret.?key|placeholder|example|insecure|default/i;
// Made of nothing but these. No two alternatives overlap, so matching takes linear time.
const COMMON_WORDS =
  /^(admin|administrator|anneal|change|default|hello|letmein|login|me|my|p[a@4]ssw[o0]rd|please|qwerty|qwertyuiop|root|secret|super|test|this|user|welcome|your|\d|[^a-z0-9])+$/i;

/** Why a signing key is none, in words that do not repeat it; null when it may do. */
export function weaknessOfKey(key: string): string | null {
  if (key.length < 32) return 'at least 32 random characters (openssl rand -base64 48)';
  if (PLACEHOLDER.test(key) || COMMON_WORDS.test(key) || new Set(key).size < 8) {
    return 'is a placeholder: set random characters (openssl rand -base64 48)';
  }
  return null;
}

/** The same for the password of the first administrator. */
export function weaknessOfPassword(password: string): string | null {
  const length = [...password].length;
  if (length < 12 || length > 256) return '12 to 256 characters';
  if (PLACEHOLDER.test(password) || COMMON_WORDS.test(password) || new Set(password).size < 4) {
    return 'is a placeholder or too easy to guess';
  }
  return null;
}
