// @ts-check

/**
 * Numbers of what ownership hangs on, the same on every replica (docs/decisions/0005).
 *
 * @param {import('knex').Knex} knex
 */
exports.up = async function up(knex) {
  await knex.schema.alterTable('entra_access_revisions', table => {
    table.string('fingerprint', 128).nullable().comment('Of the content that has the number, where it has one');
  });
  await knex('entra_access_revisions').insert({ name: 'directory', value: 0 });
  await knex.schema.alterTable('entra_access_sessions', table => {
    table
      .bigInteger('since')
      .notNullable()
      .defaultTo(0)
      .comment('Number of the write since which the principal and its groups are as they are');
  });
  await knex('entra_access_sessions').update({ since: knex.ref('revision') });
};

exports.down = async function down() {
  throw new Error('the migrations of entra-access go forward only; restore a backup');
};
