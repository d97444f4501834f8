// @ts-check

/**
 * What Microsoft Graph says of a tenant's accounts and groups, and where to go on asking (docs/directory.md).
 *
 * @param {import('knex').Knex} knex
 */
exports.up = async function up(knex) {
  await knex.schema.createTable('entra_access_feeds', table => {
    table.comment('One delta query each: how far it is');
    table.string('tenant', 36).notNullable();
    table.string('feed', 16).notNullable().comment('`users`, `groups`, or a part of the groups');
    table.integer('format').notNullable().comment('Of the rows; a replica leaves alone what it does not know');
    table.bigInteger('revision').notNullable().comment('Number of the last write; each write names the one before');
    table
      .bigInteger('changed')
      .notNullable()
      .comment('Number of the last write that changed rows of the complete load');
    table
      .bigInteger('load')
      .notNullable()
      .comment('Number of the load that counts; 0 before the first one is complete');
    table.bigInteger('staged').notNullable().comment('Number of the load that is under way; 0 for none');
    table.text('scope').nullable().comment('Object ids of the groups that are asked for; null for all');
    table.text('link').nullable().comment('Where to ask for what has changed');
    table.text('staged_link').nullable().comment('The next page of the load under way');
    table.integer('staged_pages').notNullable().comment('Of the load under way');
    table.bigInteger('staged_since').nullable().comment('When it began, by the clock of the database: ms since 1970');
    table
      .bigInteger('completed_at')
      .nullable()
      .comment('Rows are what Graph had then, by the clock of the database: ms since 1970');
    table.text('held').nullable().comment('Why a complete load was not taken');
    table.text('error').nullable().comment('Why the last round failed');
    table.primary(['tenant', 'feed']);
  });
  await knex.schema.createTable('entra_access_members', table => {
    table.comment('Direct members of Entra groups');
    table.string('tenant', 36).notNullable();
    table.string('feed', 16).notNullable();
    table.bigInteger('load').notNullable();
    table.string('group_id', 36).notNullable();
    table.binary('members').notNullable().comment('17 bytes each: 1 for a group, 0 for all else; object id. Ascending');
    table.boolean('removed').notNullable().comment('Deleted; its members are kept, as it can be restored');
    table.bigInteger('revision').notNullable();
    table.primary(['tenant', 'feed', 'load', 'group_id']);
    table.index(['tenant', 'feed', 'load', 'revision', 'group_id'], 'entra_access_members_by_revision');
  });
  await knex.schema.createTable('entra_access_accounts', table => {
    table.comment('Accounts of people');
    table.string('tenant', 36).notNullable();
    table.bigInteger('load').notNullable();
    table.string('user_id', 36).notNullable();
    table.boolean('enabled').nullable().comment('Null where Graph did not say');
    table.string('valid_from', 40).nullable().comment('Sign-ins before it do not count; as Graph writes it');
    table.string('removed', 8).nullable().comment('`changed`: can be restored; `deleted`');
    table.bigInteger('revision').notNullable();
    table.primary(['tenant', 'load', 'user_id']);
    table.index(['tenant', 'load', 'revision', 'user_id'], 'entra_access_accounts_by_revision');
  });
  await knex.schema.createTable('entra_access_subscriptions', table => {
    table.comment('Change notifications that were asked for');
    table.string('id', 64).primary().comment("Graph's");
    table.string('tenant', 36).notNullable();
    table.string('resource', 128).notNullable();
    table.string('url', 512).notNullable().comment('Where they are sent');
    table
      .string('client_state', 64)
      .notNullable()
      .comment('SHA-256 of the secret that comes with each, in hexadecimal');
    table.bigInteger('expires_at').notNullable().comment('Milliseconds since 1970');
    table.unique(['tenant', 'resource']);
  });
  await knex.schema.alterTable('entra_access_revisions', table => {
    table
      .bigInteger('members')
      .notNullable()
      .defaultTo(0)
      .comment('The number with which members of groups changed last');
  });
};

exports.down = async function down() {
  throw new Error('the migrations of entra-access go forward only; restore a backup');
};
