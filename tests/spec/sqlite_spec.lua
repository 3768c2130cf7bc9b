-- gander.sqlite: one connection, its values, transactions and failures.
-- SPDX-License-Identifier: Apache-2.0

local date = require "gander.date"
local json = require "gander.json"
local sqlite = require "gander.sqlite"
local sys = require "gander.sys"

local function fresh(t, options)
  local path = sys.data .. "/" .. t.id() .. ".db"
  local db = assert(sqlite.open(path, options))
  assert(db:exec "CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT UNIQUE, c ANY) STRICT")
  return db, path
end

return {
  ["rows come back by column name, NULL left out"] = function(t)
    local db <close> = fresh(t)
    t.eq(db:exec("INSERT INTO t VALUES(?,?,?)", { 1, "x" }), 1)
    t.eq(db:exec("INSERT INTO t VALUES(:a,:b,:c)", { a = 2, c = json.null }), 1)
    t.eq(db:query "SELECT * FROM t ORDER BY a", { { a = 1, b = "x" }, { a = 2 } })
    t.eq(json.encode(db:query "SELECT * FROM t WHERE a=9"), "[]")
    t.eq(db:exec "UPDATE t SET b=NULL", 2)
    t.eq(db:exec "SELECT * FROM t", 0)
    t.eq(db:exec "CREATE INDEX i ON t(c)", 0)
  end,

  ["values come back as they were"] = function(t)
    local db <close> = fresh(t)
    local function back(value)
      return db:query("SELECT ? AS v", { value })[1].v
    end
    for _, value in ipairs { 0, -1, math.maxinteger, math.mininteger, 0.1, 3.0, 5e-324, math.huge, "", "ä\0x", "1" } do
      t.eq(back(value), value)
    end
    t.eq(back(true), 1)
    t.eq(back(false), 0)
    t.eq(back(date(1732436130125)), 1732436130125)
    t.eq(back(json.null), nil)
    t.eq(back(nil), nil)
    t.eq(db:query("SELECT x'00ff' AS v")[1].v, "\0\xff")
  end,

  ["wrong arguments raise"] = function(t)
    local db <close> = fresh(t)
    t.raises(sqlite.open, "string expected")
    t.raises(sqlite.open, "path is wanted", "")
    t.raises(sqlite.open, "path is wanted", "a\0b")
    t.raises(sqlite.open, "unknown option 'mode'", "x", { mode = 1 })
    t.raises(sqlite.open, "'sync' must be", "x", { sync = "off" })
    t.raises(sqlite.open, "'busy_ms' must be", "x", { busy_ms = -1 })
    t.raises(db.query, "string expected", db)
    t.raises(db.query, "table expected", db, "SELECT ?", 5)
    t.raises(db.query, "wants 1 parameters", db, "SELECT ?")
    t.raises(db.query, "no parameter '2'", db, "SELECT ?", { 1, 2 })
    t.raises(db.query, "no parameter 'y'", db, "SELECT :x", { x = 1, y = 2 })
    t.raises(db.query, "cannot be a table", db, "SELECT ?", { {} })
    t.raises(db.query, "nan", db, "SELECT ?", { 0 / 0 })
    t.raises(db.query, "UTF%-8", db, "SELECT ?", { "\xff" })
    t.raises(db.query, "syntax error", db, "SELEC 1")
    t.raises(db.query, "no such table", db, "SELECT * FROM nowhere")
    t.raises(db.query, "not several", db, "SELECT 1; SELECT 2")
    t.raises(db.query, "not none", db, " -- nothing")
    t.raises(db.tx, "function expected", db)
    t.eq(db:query "SELECT 1 AS v;", { { v = 1 } })
  end,

  ["a closed Db raises, closing again is harmless"] = function(t)
    local db = fresh(t)
    db:close()
    db:close()
    t.raises(db.query, "closed gander.Db", db, "SELECT 1")
    t.raises(db.exec, "closed gander.Db", db, "SELECT 1")
    t.raises(db.tx, "closed gander.Db", db, function() end)
  end,

  ["<close> closes"] = function(t)
    local kept
    do
      local db <close> = fresh(t)
      kept = db
    end
    t.raises(kept.query, "closed gander.Db", kept, "SELECT 1")
  end,

  ["the world failing gives nil, message, code"] = function(t)
    local db <close>, path = fresh(t)
    t.fails("not_found", sqlite.open(sys.data .. "/nowhere/x.db"))
    t.fails("invalid", sqlite.open(sys.data))
    assert(db:exec("INSERT INTO t VALUES(1,'x',0)"))
    t.fails("conflict", db:exec "INSERT INTO t VALUES(1,'y',0)")
    t.fails("conflict", db:exec "INSERT INTO t VALUES(2,'x',0)")
    t.fails("invalid", db:exec "INSERT INTO t VALUES('one','y',0)")
    t.fails("denied", db:exec "ATTACH 'other.db' AS o")
    assert(db:exec "PRAGMA query_only=1")
    t.fails("denied", db:exec "INSERT INTO t VALUES(3,'z',0)")
    local other <close> = assert(sqlite.open(path))
    t.eq(#other:query "SELECT * FROM t", 1)
  end,

  ["a full disk is unavailable and says so"] = function(t)
    local db <close> = fresh(t)
    assert(db:query "PRAGMA max_page_count=8")
    local message = t.fails("unavailable", db:exec("INSERT INTO t VALUES(1,?,0)", { ("x"):rep(100000) }))
    t.ok(message:find "disk is full", message)
  end,

  ["a transaction commits and gives what its function gives"] = function(t)
    local db <close>, path = fresh(t)
    local other <close> = assert(sqlite.open(path))
    local seen
    t.eq({
      db:tx(function()
        assert(db:exec "INSERT INTO t VALUES(1,'x',0)")
        seen = #other:query "SELECT * FROM t"
        return 1, nil, 3
      end),
    }, { 1, nil, 3 })
    t.eq(seen, 0)
    t.eq(#other:query "SELECT * FROM t", 1)
    t.eq(select("#", db:tx(function() end)), 0)
  end,

  ["a transaction rolls back on a raise and on nil, message, code"] = function(t)
    local db <close> = fresh(t)
    local function insert()
      assert(db:exec "INSERT INTO t VALUES(1,'x',0)")
    end
    t.raises(function()
      db:tx(function()
        insert()
        error "halfway"
      end)
    end, "halfway")
    t.fails(
      "conflict",
      db:tx(function()
        insert()
        return nil, "no", "conflict"
      end)
    )
    t.eq(#db:query "SELECT * FROM t", 0)
    db:tx(insert)
    t.eq(#db:query "SELECT * FROM t", 1)
  end,

  ["transactions are made by tx alone, one at a time"] = function(t)
    local db <close> = fresh(t)
    for _, text in ipairs { "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT s", "BEGIN IMMEDIATE" } do
      t.fails("denied", db:exec(text))
    end
    t.raises(db.tx, "transaction within a transaction", db, function()
      db:tx(function() end)
    end)
    t.raises(function()
      db:tx(function()
        coroutine.yield()
      end)
    end, "yield")
    t.eq(
      db:tx(function()
        return 1
      end),
      1
    )
  end,

  ["closing inside a transaction waits for its end"] = function(t)
    local db, path = fresh(t)
    db:tx(function()
      assert(db:exec "INSERT INTO t VALUES(1,'x',0)")
      db:close()
      return true
    end)
    t.raises(db.query, "closed gander.Db", db, "SELECT 1")
    local other <close> = assert(sqlite.open(path))
    t.eq(#other:query "SELECT * FROM t", 1)
  end,

  ["a second writer is busy after its wait, readers are not"] = function(t)
    local db <close>, path = fresh(t)
    local other <close> = assert(sqlite.open(path, { busy_ms = 20 }))
    db:tx(function()
      assert(db:exec "INSERT INTO t VALUES(1,'x',0)")
      t.fails("busy", other:exec "INSERT INTO t VALUES(2,'y',0)")
      t.fails(
        "busy",
        other:tx(function()
          error "not reached"
        end)
      )
      t.eq(#other:query "SELECT * FROM t", 0)
      return true
    end)
    t.eq(other:exec "INSERT INTO t VALUES(2,'y',0)", 1)
  end,

  ["more statements than the cache holds, and a changed schema"] = function(t)
    local db <close>, path = fresh(t)
    local other <close> = assert(sqlite.open(path))
    for round = 1, 2 do
      for i = 1, 200 do
        t.eq(db:query(("SELECT %d AS v"):format(i)), { { v = i } }, "round " .. round)
      end
    end
    t.eq(db:query "SELECT * FROM t", {})
    assert(other:exec "ALTER TABLE t ADD COLUMN d TEXT")
    assert(db:tx(function()
      return db:exec "INSERT INTO t(a,d) VALUES(1,'new')"
    end))
    t.eq(db:query "SELECT * FROM t", { { a = 1, d = "new" } })
  end,

  ["a result too large is refused"] = function(t)
    local db <close> = fresh(t)
    local text =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 40) SELECT zeroblob(1048576) FROM n"
    t.fails("invalid", db:query(text))
    t.eq(db:query "SELECT 1 AS v", { { v = 1 } })
  end,
}
