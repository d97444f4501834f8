// @ts-check

/**
 * When the Entra token behind a sign-in was issued (docs/decisions/0007). A column of its own: versions of before read the record
 * strictly, and go on to run beside this one while replicas are replaced. What they write counts as older than anything.
 *
 * @param {import('knex').Knex} knex
 */
exports.up = async function up(knex) {
  await knex.schema.alterTable('entra_access_sessions', table => {
    table
      .bigInteger('issued_at')
      .nullable()
      .comment('Of the Entra token, in seconds since the epoch; not known where empty');
  });
};

exports.down = async function down() {
  throw new Error('the migrations of entra-access go forward only; restore a backup');
};
