-- lib/installation: one id for store and data directory.
-- SPDX-License-Identifier: Apache-2.0
local fs = require "gander.fs"
local sys = require "gander.sys"
local db = require "lib.store"

assert(db.installation:count {}) -- opens the store, whose handle outlives each test

local PATH = sys.data .. "/installation"

-- The module as a fresh VM would load it, with only this in store and directory.
local function fresh(t, stored, here)
  db.installation:delete({}, { many = true })
  fs.remove(PATH)
  if stored then db.installation:insert { _id = stored } end
  if here then t.ok(fs.write_atomic(PATH, here .. "\n")) end
  return t.load "scripts/lib/installation.lua"
end

return {
  ["the first start makes one and keeps it in both places"] = function(t)
    local id = fresh(t).id()
    t.eq(db.installation:find_one({})._id, id)
    t.eq(fs.read(PATH), id .. "\n")
    t.eq(t.load("scripts/lib/installation.lua").id(), id)
  end,

  ["an empty store takes the directory's, an empty directory the store's"] = function(t)
    t.eq(fresh(t, nil, "of-directory").id(), "of-directory")
    t.eq(db.installation:find_one({})._id, "of-directory")
    t.eq(fresh(t, "of-store", nil).id(), "of-store")
    t.eq(fs.read(PATH), "of-store\n")
  end,

  ["two different ones are refused, both named"] = function(t)
    t.raises(fresh(t, "one", "two").id, "installation two and the store to one")
  end,
}
