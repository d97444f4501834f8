/** The files that `--config FILE` and `--config=FILE` name, in order, as Backstage reads them */
export function configFiles(argv: readonly string[]): string[] {
  return argv.flatMap((word, at) => (word === '--config' ? argv[at + 1] : /^--config=(.+)$/.exec(word)?.[1]) ?? []);
}
