import type { AuthService, DiscoveryService } from '@backstage/backend-plugin-api';
import { InputError } from '@backstage/errors';
import type { Permission } from '@backstage/plugin-permission-common';
import type { PermissionInput } from '../core';
import { fetchPluginMetadata } from '../permission/pluginMetadata';
import { permissionInput } from '../permission/policy';
import { coded } from '../service/coded';

const KEEP_MS = 60_000;

/**
 * Finds a permission by name where it is declared: at its plugin, which by convention is the first segment of the name.
 * Names alone do not say which action and resource type a permission has, and rules depend on both.
 */
export class PermissionLookup {
  readonly #auth: AuthService;
  readonly #discovery: DiscoveryService;
  readonly #kept = new Map<string, { at: number; permissions: Promise<PermissionInput[]> }>();

  constructor(options: { auth: AuthService; discovery: DiscoveryService }) {
    this.#auth = options.auth;
    this.#discovery = options.discovery;
  }

  /** @throws InputError when no plugin declares it */
  async find(name: string): Promise<PermissionInput> {
    const pluginId = /^[a-z0-9-]{1,64}(?=\.)/.exec(name)?.[0];
    const declared = pluginId ? await this.#declaredBy(pluginId) : [];
    const found = declared.find(permission => permission.name === name);
    if (!found) {
      throw coded(
        'permission_unknown',
        new InputError(
          `permission ${JSON.stringify(name.slice(0, 200))} is not declared by ${pluginId ? `plugin ${pluginId}` : 'any plugin'}`,
        ),
      );
    }
    return found;
  }

  #declaredBy(pluginId: string): Promise<PermissionInput[]> {
    const kept = this.#kept.get(pluginId);
    if (kept && Date.now() - kept.at < KEEP_MS) return kept.permissions;
    const permissions = this.#fetch(pluginId);
    if (this.#kept.size > 100) this.#kept.clear();
    this.#kept.set(pluginId, { at: Date.now(), permissions });
    permissions.catch(() => this.#kept.delete(pluginId));
    return permissions;
  }

  async #fetch(pluginId: string): Promise<PermissionInput[]> {
    const { permissions } = await fetchPluginMetadata({ auth: this.#auth, discovery: this.#discovery }, pluginId);
    return permissions.map(permission => permissionInput(permission as Permission));
  }
}
