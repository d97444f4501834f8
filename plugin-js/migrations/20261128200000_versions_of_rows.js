// @ts-check

/**
 * What tells rows apart that count the same: the write that the time of a sign-in belongs to, as versions of before leave that time as it
 * is; which feed of a name it is; and how often the catalog was numbered, which members of groups change without. A round that takes
 * several runs is as old as its begin.
 *
 * @param {import('knex').Knex} knex
 */
exports.up = async function up(knex) {
  await knex.schema.alterTable('entra_access_sessions', table => {
    table.bigInteger('issued_revision').nullable().comment('The write that `issued_at` belongs to');
  });
  await knex.schema.alterTable('entra_access_feeds', table => {
    table
      .string('generation', 36)
      .notNullable()
      .defaultTo('')
      .comment('Random: a feed of this name that is made anew begins with the first numbers again');
    table.bigInteger('round_since').nullable().comment('When the round under way began, by the clock of the database');
    table.integer('round_pages').notNullable().defaultTo(0).comment('Of the round under way');
  });
  await knex.schema.alterTable('entra_access_revisions', table => {
    table
      .bigInteger('catalog')
      .notNullable()
      .defaultTo(0)
      .comment('How often the catalog was numbered: members change without it');
  });
};

exports.down = async function down() {
  throw new Error('the migrations of entra-access go forward only; restore a backup');
};
