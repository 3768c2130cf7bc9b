-- The id of this installation: made at the first start, carried by every sandbox's label.
--
-- The store and the data directory both hold it. An empty one takes the other's; two different ones stop the start,
-- since one of them belongs to another installation.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local fs = require "gander.fs"
local sys = require "gander.sys"
local db = require "lib.store"

local M = {}

local id -- never changes while a store is open

local function of_directory(path)
  local text, message, code = fs.read(path, { max = 200 })
  if not text and code ~= "not_found" then error(message) end
  return text and text:match "^%s*(%S+)%s*$"
end

local function of_store()
  local doc, message = db.installation:find_one {}
  if message then error(message) end
  return doc and doc._id
end

-- The id. Raises when it cannot be read or written, or when store and directory do not belong together.
function M.id()
  if id then return id end
  local path = sys.data .. "/installation"
  local here, stored = of_directory(path), of_store()
  if here and stored and here ~= stored then
    error(
      "the data directory belongs to installation "
        .. here
        .. " and the store to "
        .. stored
        .. ": one of them is the wrong one (to start anew with both, remove "
        .. path
        .. ")"
    )
  end
  if not stored then
    db.installation:insert { _id = here or sys.uuid(), created_at = date(sys.now()) }
    stored = assert(of_store(), "the installation's id cannot be stored")
  end
  if not here then assert(fs.write_atomic(path, stored .. "\n")) end
  id = stored
  return id
end

return M
