-- The id of this installation: made at the first start, carried by every sandbox's label.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local sys = require "gander.sys"
local db = require "lib.store"

local M = {}

local id -- never changes while a store is open

function M.id()
  if not id then
    local doc = db.installation:find_one {}
    if not doc then
      db.installation:insert { _id = sys.uuid(), created_at = date(sys.now()) }
      doc = assert(db.installation:find_one {})
    end
    id = doc._id
  end
  return id
end

return M
