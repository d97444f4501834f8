// Versions out of the texts that carry them; no I/O.

/** First x.y or x.y.z in a text, as numbers. */
export function parseVersion(text) {
  const match = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(text ?? '');
  return match ? [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)] : undefined;
}

/** True when `have` is not older than `need`; both texts. */
export function atLeast(have, need) {
  const [a, b] = [parseVersion(have), parseVersion(/^\D*\d+\D*$/.test(need) ? `${/\d+/.exec(need)[0]}.0` : need)];
  if (!a || !b) return false;
  const i = [0, 1, 2].find(at => a[at] !== b[at]);
  return i === undefined || a[i] > b[i];
}

/** `rust-version` of a Cargo.toml. */
export const rustVersionOf = cargoToml => /^\s*rust-version\s*=\s*"([^"]+)"/m.exec(cargoToml)?.[1];

/** `channel` of a rust-toolchain.toml. */
export const channelOf = toolchainToml => /^\s*channel\s*=\s*"([^"]+)"/m.exec(toolchainToml)?.[1];

/** Locked version of a package in a Cargo.lock. */
export function lockedVersion(cargoLock, name) {
  return new RegExp(`^name = "${name}"\\r?\\nversion = "([^"]+)"`, 'm').exec(cargoLock)?.[1];
}
