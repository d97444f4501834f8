// @ts-check

/**
 * Tokens of pipelines that count once. A row says that one was used, by a digest of its issuer and id: nothing of the token.
 *
 * @param {import('knex').Knex} knex
 */
exports.up = async function up(knex) {
  await knex.schema.createTable('entra_access_used_tokens', table => {
    table.comment('Single-use tokens that were offered, until they would have expired');
    table.string('digest', 64).primary().comment('SHA-256 of issuer and `jti`, in hexadecimal');
    table.bigInteger('expires_at').notNullable().index().comment('Seconds since the epoch');
  });
};

exports.down = async function down() {
  throw new Error('the migrations of entra-access go forward only; restore a backup');
};
