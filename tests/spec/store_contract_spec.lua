-- The store's contract (tests/contract/store) on the SQLite engine.
-- SPDX-License-Identifier: Apache-2.0

local load = require("lib.spec").load
local store = require "lib.store"
local sys = require "gander.sys"

local paths = setmetatable({}, { __mode = "k" })

local function open_at(path, collections)
  local db = assert(store.open(path, collections))
  paths[db] = path
  return db
end

local function open(t, collections)
  return open_at(sys.data .. "/" .. t.id() .. ".db", collections)
end

local function again(_, db, collections)
  return open_at(paths[db], collections)
end

return load "tests/contract/store/suite.lua"(load, open, again)
