import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { LoggerService } from '@backstage/backend-plugin-api';
import { ConfigurationError, type EntraCore } from '../core';
import { firstLine, parsePolicy, type PolicyText } from './policyText';

/** How often the file is looked at */
const POLL_MS = 1_000;
/** Twice what the core takes as JSON: YAML has comments */
const MAX_BYTES = 8 * 1024 * 1024;

/** What is known of the policy in force */
export interface PolicyState {
  /** The file; `undefined` for rules in app-config.yaml */
  file?: string;
  /** Milliseconds since the epoch */
  loadedAt: number;
  /** Why what the file holds now is not in force */
  error?: string;
}

/**
 * Follows a policy file: a good new one takes effect within seconds, anything else leaves the old policy in force and says why,
 * once.
 *
 * Looked at, not watched: file events are lost on network drives, and where Kubernetes changes a ConfigMap the file itself never
 * changes, only the links on the way to it. What is found must be found twice: half a file may well be a valid policy, without
 * the deny rules at its end.
 */
export class PolicyFile {
  readonly #file: string;
  readonly #core: EntraCore;
  readonly #logger: LoggerService;
  readonly #listeners: Array<() => void> = [];
  #loaded: string;
  #policy?: PolicyText;
  #seen?: string;
  #refused?: string;
  #state: PolicyState;
  #timer?: NodeJS.Timeout;
  #looking?: Promise<void>;

  /** `text` is what was loaded at the start */
  constructor(options: { file: string; text: string; core: EntraCore; logger: LoggerService }) {
    this.#file = options.file;
    this.#loaded = options.text;
    this.#core = options.core;
    this.#logger = options.logger;
    this.#state = { file: options.file, loadedAt: Date.now() };
  }

  get state(): PolicyState {
    return this.#state;
  }

  /** The policy in force, if it is not the one of the start */
  get policy(): PolicyText | undefined {
    return this.#policy;
  }

  /** Calls back whenever a policy takes effect from now on */
  onLoad(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Begins to look at the file */
  start(): void {
    this.#timer ??= setInterval(() => void this.look(), POLL_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Looks at the file once; never throws */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    let text: string;
    try {
      text = await read(this.#file);
    } catch (error) {
      this.#seen = undefined;
      this.#failed(`${this.#file} could not be read: ${firstLine(error)}`);
      return;
    }
    // An instance that is being restarted is told the policy in force; what is new can wait for it.
    if (!this.#core.available) return;
    if (text === this.#loaded) {
      this.#seen = undefined;
      this.#refused = undefined;
      if (this.#state.error) this.#logger.info('the policy file is again the one in force');
      this.#state = { file: this.#file, loadedAt: this.#state.loadedAt };
    } else if (text !== this.#seen) {
      this.#seen = text;
    } else if (text !== this.#refused) {
      this.#load(text);
    }
  }

  #load(text: string): void {
    try {
      const policy = parsePolicy(text, this.#file);
      setPolicy(this.#core, policy);
      this.#loaded = text;
      this.#policy = policy;
      this.#state = { file: this.#file, loadedAt: Date.now() };
      this.#logger.info(`a new policy is in force: ${this.#core.ruleIds.length} rules, epoch ${this.#core.epoch}`);
      this.#listeners.forEach(listener => listener());
    } catch (error) {
      // Not tried again: should it have trapped the core, it would each time.
      this.#refused = text;
      this.#failed(firstLine(error));
    }
  }

  #failed(reason: string): void {
    if (reason !== this.#state.error) this.#logger.error(`the policy stays as it was: ${reason}`);
    this.#state = { ...this.#state, error: reason };
  }
}

/** Gives the core a policy; @throws ConfigurationError with the line of the first mistake */
export function setPolicy(core: EntraCore, policy: PolicyText, options?: { anyPipeline: boolean }): void {
  try {
    core.setPolicy(policy.json, policy.place, options);
  } catch (error) {
    throw error instanceof ConfigurationError && policy.locate ? policy.locate(error) : error;
  }
}

/** A regular file of bounded size; without waiting, as a pipe in its place would never end */
async function read(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new Error('not a file');
    if (stats.size > MAX_BYTES) throw new Error(`larger than ${MAX_BYTES} bytes`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
