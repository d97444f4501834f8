// @ts-check

/**
 * By which a refusal is found in the audit trail. Records of before have none, and their text stays as it was.
 *
 * @param {import('knex').Knex} knex
 */
exports.up = async function up(knex) {
  await knex.schema.alterTable('entra_access_audit', table => {
    table.string('reference', 16).comment('What whoever was refused was told');
    table.index(['reference']);
  });
};

exports.down = async function down() {
  throw new Error('the migrations of entra-access go forward only; restore a backup');
};
