-- The collections that the store's contract is tried on: one of free fields, one of declared ones, one by number.
-- SPDX-License-Identifier: Apache-2.0

return {
  things = { id = "string", fields = {}, index = {} },
  people = {
    id = "string",
    fields = {
      team = "string",
      name = "string",
      at = "date",
      n = "integer",
      flag = "boolean?",
      note = "string?",
      ["next.at"] = "date?",
    },
    unique = { { "team", "name" } },
    index = { { "team", "at" }, { "n" }, { "next.at" }, { "note" } },
  },
  numbered = { id = "integer", fields = {}, index = {} },
}
