-- The store: local db = require "lib.store"; db.projects:find_one{_id = id}.
--
-- This module is the default store: collections by name, on <data>/gander.db, opened at the first use and kept for the
-- life of the VM. store.open(path) gives another one. What can be asked: scripts/meta/store.lua.
-- SPDX-License-Identifier: Apache-2.0

local collection = require "lib.store.collection"
local collections = require "lib.collections"
local engine_of_file = require "lib.store.sqlite"
local nearest = require "lib.nearest"
local sys = require "gander.sys"

local function unknown(name, declared)
  local near = nearest.of(name, declared)
  return ("the store has no collection '%s'"):format(name) .. (near and ("; the nearest is '%s'"):format(near) or "")
end

-- A store whose collections are on this engine.
local function new(engine, shapes)
  local declared = {}
  for name, shape in pairs(shapes) do
    declared[name] = collection.new(name, shape, engine)
  end
  engine.collections = declared
  local store = { kind = engine.kind }
  -- true | nil, message, code: can it be used? Opens it when that was not done yet.
  function store.ready()
    local raw, message, code = engine:open()
    if not raw then return nil, message, code end
    return true
  end
  function store.close()
    engine:close()
  end
  return setmetatable(store, {
    __index = function(_, name)
      return declared[name] or error(unknown(tostring(name), declared), 2)
    end,
    __newindex = function(_, name)
      error(("collections are declared in lib/collections, not set ('%s')"):format(tostring(name)), 2)
    end,
    __close = store.close,
  })
end

local store = new(
  engine_of_file.new(function()
    return sys.data .. "/gander.db"
  end),
  collections
)

-- Another store, in a file of its own (and with collections of its own) | nil, message, code
rawset(store, "open", function(path, shapes)
  local other = new(
    engine_of_file.new(function()
      return path
    end),
    shapes or collections
  )
  local ok, message, code = other.ready()
  if not ok then return nil, message, code end
  return other
end)

return store
