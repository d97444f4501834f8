// @ts-check

/**
 * Sign-ins that outlive the process. A record says who was verified and which groups were found; no token, no e-mail.
 *
 * @param {import('knex').Knex} knex
 */
exports.up = async function up(knex) {
  await knex.schema.createTable('entra_access_sessions', table => {
    table.comment('What a sign-in established, until its Backstage token expires');
    table.string('entity_ref', 255).primary().comment('The Backstage user');
    table
      .string('principal', 512)
      .notNullable()
      .comment('Who it is: issuer, kind, tenant, object and agent by their ids');
    table.text('record').notNullable().comment('What the core knows of the principal, as JSON');
    table.bigInteger('expires_at').notNullable().index().comment('Seconds since the epoch');
    table
      .bigInteger('revision')
      .notNullable()
      .index()
      .comment('Number of the write, ascending in the order of commits');
  });
  await knex.schema.createTable('entra_access_revisions', table => {
    table.comment('The last number that was given out, for each kind of rows');
    table.string('name', 64).primary();
    table.bigInteger('value').notNullable();
  });
  await knex('entra_access_revisions').insert({ name: 'sessions', value: 0 });
};

exports.down = async function down() {
  throw new Error('the migrations of entra-access go forward only; restore a backup');
};
