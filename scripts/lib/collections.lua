-- The collections of the store: what each one's documents are found and sorted by.
--
-- `id` is the type of _id, "string" or "integer". `fields` are the fields that the engine knows: "string", "integer",
-- "boolean" or "date", with "?" when a document may lack it (or hold null). A write of another type is refused, and so
-- is a document without a field that has no "?"; all other fields are free. Paged lists sort by fields without "?".
-- `unique` and `index` list the indexes, each ended by _id; they are made (and dropped) when the store is opened.
-- A field of an index is declared; a field of a unique one has no "?" (two missing values would collide on MongoDB).
-- SPDX-License-Identifier: Apache-2.0

return {
  projects = {
    id = "string",
    fields = {
      user_id = "string",
      name_key = "string",
      created_at = "date",
      state = "string",
      desired = "string",
      phase = "string?",
      gone = "boolean?",
      ["next.at"] = "date?",
      ["queue.since"] = "date?",
      ["sandbox.doomed"] = "boolean?",
    },
    unique = { { "user_id", "name_key" } },
    index = { { "user_id", "created_at" }, { "state", "desired" }, { "desired" }, { "next.at" } },
  },

  sandbox_logs = {
    id = "string",
    fields = {
      project_id = "string",
      first_seq = "integer",
      at = "date?",
      ["cursor.sandbox_id"] = "string?",
      ["cursor.source"] = "string?",
    },
    index = { { "project_id", "first_seq" }, { "cursor.sandbox_id", "cursor.source", "first_seq" }, { "at" } },
  },

  sessions = {
    id = "string",
    fields = {
      project_id = "string",
      user_id = "string?",
      created_at = "date",
      updated_at = "date",
      status = "string?",
    },
    index = { { "project_id", "created_at" }, { "user_id", "created_at" }, { "user_id", "updated_at" }, { "status" } },
  },

  session_messages = {
    id = "string",
    fields = { session_id = "string", project_id = "string?", seq = "integer", event_seq = "integer?" },
    index = { { "session_id", "seq" }, { "project_id" } },
  },

  jobs = {
    id = "string",
    fields = { run_at = "date", owner = "string?" },
    index = { { "run_at" }, { "owner" } },
  },

  activity = {
    id = "string",
    fields = { project_id = "string", at = "date" },
    index = { { "project_id", "at" }, { "at" } },
  },

  decisions = {
    id = "string",
    fields = { project_id = "string?", user_id = "string?", policy = "string?", at = "date" },
    index = { { "project_id", "at" }, { "user_id", "at" }, { "policy", "at" }, { "at" } },
  },

  scripts_history = { id = "integer", fields = {}, index = {} },
  scripts_texts = { id = "string", fields = {}, index = {} },
  installation = { id = "string", fields = {}, index = {} },
  nodes = { id = "string", fields = {}, index = {} },
  caps = { id = "string", fields = {}, index = {} },
  counters = { id = "string", fields = {}, index = {} },
  events = { id = "integer", fields = {}, index = {} },

  idempotency = { id = "string", fields = { at = "date" }, index = { { "at" } } },

  usage = {
    id = "string",
    fields = { project_id = "string?", at = "date?" },
    index = { { "project_id", "at" }, { "at" } },
  },
}
