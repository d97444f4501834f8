const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/;
const MAX_SECONDS = 0xffff_ffff;

/**
 * Seconds since 1970, within 32 bits, of a time in UTC as Microsoft Graph writes it; `undefined` for what is none, as the 13th month.
 * A fraction counts as a whole second: what is "not before" is never taken for earlier than it is
 */
export function momentSeconds(time: string): number | undefined {
  const [text, fraction] = TIME.exec(time) ?? [];
  const whole = text === undefined ? NaN : Math.floor(Date.parse(text) / 1000);
  if (Number.isNaN(whole)) return undefined;
  const begun = /[1-9]/.test(fraction ?? '') ? 1 : 0;
  return Math.min(Math.max(whole + begun, 0), MAX_SECONDS);
}
