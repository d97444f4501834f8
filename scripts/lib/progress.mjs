// One line per long step that shows it is alive: a compile of four minutes without a word looks like a hang.

const QUIET_EVERY_MS = 20_000;
const FRAME_MS = 200;
// Escape sequences of colour and cursor, as cargo and npm print them.
const ANSI = /\u001b\[[0-9;?]*[A-Za-z]/g;

export const stripAnsi = text => text.replace(ANSI, '');

export function elapsed(sinceMs, nowMs = Date.now()) {
  const seconds = Math.round((nowMs - sinceMs) / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

export function lastLine(text) {
  const lines = stripAnsi(text).split(/[\r\n]+/);
  return lines.findLast?.(line => line.trim() !== '')?.trim() ?? '';
}

/** Starts the line; `seen` takes output as it comes, `end` closes the line with the outcome. */
export function progress(label, out = process.stdout) {
  const started = Date.now();
  let latest = '';
  const line = () => `${label} ... ${elapsed(started)}${latest ? `  ${latest}` : ''}`;
  const tty = out.isTTY === true;
  if (!tty) out.write(`${label} ...\n`);
  const timer = setInterval(
    () => out.write(tty ? `\r\u001b[2K${line().slice(0, (out.columns ?? 80) - 1)}` : `  still: ${line()}\n`),
    tty ? FRAME_MS : QUIET_EVERY_MS,
  );
  return {
    seen(chunk) {
      latest = lastLine(chunk) || latest;
    },
    end(outcome) {
      clearInterval(timer);
      out.write(`${tty ? '\r\u001b[2K' : ''}${label}: ${outcome} (${elapsed(started)})\n`);
    },
  };
}
