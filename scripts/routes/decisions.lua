-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local app = require "lib.app"
local S = require "lib.schema"
local db = require "lib.store"
local view = require "lib.view"

local M = {}

M["GET /api/decisions"] = app.route {
  doc = "Stored decisions of all users, newest first; user=, project=, policy= and since= narrow.",
  query = app.page_query {
    user = S.optional(S.string { max = 64 }),
    project = S.optional(S.string { format = "uuid" }),
    policy = S.optional(S.string { max = 200 }),
    since = S.optional(S.string { format = "date" }),
  },
  answers = { [200] = "list of Decision" },
  handler = function(req)
    local q = { user_id = req.query.user, project_id = req.query.project, policy = req.query.policy }
    q.at = req.query.since and { ["$gte"] = date(req.query.since) } or nil
    local rows, next_page, code =
      db.decisions:find(q, { sort = { "-at" }, limit = req.query.limit, after = req.query.after })
    if not rows then return app.fail(code, next_page) end
    local items = {}
    for i, row in ipairs(rows) do
      items[i] = view.decision(row)
    end
    return 200, app.page(items, next_page)
  end,
}

return M
