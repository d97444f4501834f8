/**
 * What kind of error it was, in a word: its code, else its name. All that is passed on of an error that is not ours, as a message may
 * quote anything; that of a database driver quotes the statement with its values.
 */
export function errorWord(error: unknown, otherwise: string): string {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  const word = [code, name].find(each => typeof each === 'string' && /^[A-Za-z0-9_]{1,64}$/.test(each));
  return typeof word === 'string' ? word : otherwise;
}
