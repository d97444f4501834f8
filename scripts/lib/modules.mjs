// Compares what package-lock.json asks for with what npm says it has installed; no I/O.

/** Paths that the lock file names and node_modules lacks or has in another version. */
export function missingModules(lockJson, installedJson) {
  const wanted = JSON.parse(lockJson).packages;
  const installed = JSON.parse(installedJson).packages;
  return Object.keys(wanted).filter(path => {
    // Workspace folders are sources, reached by links that are listed on their own; what is optional may not fit this machine.
    if (!path.startsWith('node_modules/') && !path.includes('/node_modules/')) return false;
    const have = installed[path];
    if (!have) return wanted[path].optional !== true;
    return have.version !== wanted[path].version;
  });
}
