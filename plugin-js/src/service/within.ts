/** No answer in time */
class TimeoutError extends Error {
  override name = 'TimeoutError';
}

/** The answer, if it comes in time; `tooLate` says what it fails with otherwise */
export async function within<T>(
  milliseconds: number,
  answer: Promise<T>,
  tooLate = (): Error => new TimeoutError(`no answer within ${milliseconds} ms`),
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooLate()), milliseconds);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
