import type { LoggerService } from '@backstage/backend-plugin-api';

/** A logger that only remembers */
export class RecordingLogger implements LoggerService {
  readonly lines: string[] = [];

  error(message: string): void {
    this.#add('error', message);
  }
  warn(message: string): void {
    this.#add('warn', message);
  }
  info(message: string): void {
    this.#add('info', message);
  }
  debug(message: string): void {
    this.#add('debug', message);
  }
  child(): LoggerService {
    return this;
  }

  /** Forgets what it heard so far */
  clear(): void {
    this.lines.length = 0;
  }

  /** Warnings and errors */
  get complaints(): string[] {
    return this.lines.filter(line => /^(warn|error): /.test(line));
  }

  #add(level: string, message: string): void {
    this.lines.push(`${level}: ${message}`);
  }
}
