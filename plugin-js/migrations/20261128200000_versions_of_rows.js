// @ts-check

/**
 * What tells rows apart that count the same: the write that the time of a sign-in belongs to, as versions of before leave that time as it
 * is; which feed of a name it is; and how often the catalog was numbered, which members of groups change without. A round that takes
 * several runs is as old as its begin.
 *
 * @param {import('knex').Knex} knex
 */
exports.up = async function up(knex) {
  await added(knex, 'entra_access_sessions', {
    issued_revision: (table, name) =>
      table.bigInteger(name).nullable().comment('The write that `issued_at` belongs to'),
  });
  await added(knex, 'entra_access_feeds', {
    generation: (table, name) =>
      table
        .string(name, 36)
        .notNullable()
        .defaultTo('')
        .comment('Random: a feed of this name that is made anew begins with the first numbers again'),
    round_since: (table, name) =>
      table.bigInteger(name).nullable().comment('When the round under way began, by the clock of the database'),
    round_pages: (table, name) => table.integer(name).notNullable().defaultTo(0).comment('Of the round under way'),
  });
  await added(knex, 'entra_access_revisions', {
    catalog: (table, name) =>
      table
        .bigInteger(name)
        .notNullable()
        .defaultTo(0)
        .comment('How often the catalog was numbered: members change without it'),
  });
};

/**
 * Adds columns that are not there: builds of one day had made them already.
 *
 * @param {import('knex').Knex} knex
 * @param {string} name
 * @param {Record<string, (table: import('knex').Knex.AlterTableBuilder, name: string) => unknown>} columns
 */
async function added(knex, name, columns) {
  for (const [column, add] of Object.entries(columns))
    if (!(await knex.schema.hasColumn(name, column)))
      await knex.schema.alterTable(name, table => void add(table, column));
}

exports.down = async function down() {
  throw new Error('the migrations of entra-access go forward only; restore a backup');
};
