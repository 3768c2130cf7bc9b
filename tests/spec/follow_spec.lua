-- gander.follow: what it takes and refuses, and how far it gets. What it delivers is shown by the C tests; here every
-- batch counts as delivered, so that list() tells the cursor.
-- SPDX-License-Identifier: Apache-2.0
local fs = require "gander.fs"
local follow = require "gander.follow"
local process = require "gander.process"

local function entry(key)
  for _, one in ipairs(follow.list()) do
    if one.key == key then return one end
  end
end

-- Wait until what is followed under `key` was delivered up to `cursor`.
local function delivered(t, key, cursor)
  return t.wait(function()
    local one = entry(key)
    return one and one.cursor == cursor and one
  end)
end

-- Wait until the key is gone by itself.
local function gone(t, key)
  t.wait(function()
    return not entry(key)
  end)
end

local function with_server(fn)
  return function(t)
    local server <close> = t.load("tests/support/echo.lua").start()
    fn(t, server.url, server)
  end
end

return {
  ["a file is followed to its end and beyond"] = function(t)
    local key, path = t.id(), t.tmpdir() .. "/log"
    fs.write_atomic(path, "one\ntwo\n")
    t.eq(follow.start { key = key, source = { file = path, offset = 4 }, format = "lines", batch_ms = 1 }, true)
    local one = delivered(t, key, 8)
    t.eq({ one.source, one.format, one.job, one.pending, one.tries }, { "file", "lines", "collect", 0, 0 })
    process.run { argv = { "sh", "-c", 'echo three >>"$0"', path } }
    delivered(t, key, 14)
    t.eq(follow.stop(key, { wait_ms = 20000 }), true)
    t.eq(entry(key), nil)
  end,

  ["stop delivers what the file has, and nothing is left"] = function(t)
    local key, path = t.id(), t.tmpdir() .. "/log"
    fs.write_atomic(path, ("line\n"):rep(10000))
    follow.start { key = key, source = { file = path }, format = "lines", cursor = 5, punch = true }
    t.eq(follow.stop(key, { wait_ms = 20000 }), true)
    t.eq(follow.stop(key), nil)
  end,

  ["a key is followed once"] = function(t)
    local spec = { key = t.id(), source = { file = t.tmpdir() .. "/none" }, format = "lines" }
    t.eq(follow.start(spec), true)
    t.fails("conflict", follow.start(spec))
    t.eq(follow.stop(spec.key, { wait_ms = 20000 }), true)
    t.eq(follow.start(spec), true)
    t.eq(follow.stop(spec.key, { wait_ms = 20000 }), true)
  end,

  ["an event stream is resumed where it broke off"] = with_server(function(t, url)
    local key = t.id()
    follow.start {
      key = key,
      source = { http = { url = url .. "/sse?total=7&cut=3" }, resume = "last-event-id" },
      format = "sse",
      topic = t.id(),
      job = "chat",
      data = { session_id = "s" },
      batch_ms = 1,
    }
    t.eq(delivered(t, key, "7").job, "chat")
    follow.stop(key, { wait_ms = 20000 })
  end),

  ["a stream with offsets is resumed after the last one"] = with_server(function(t, url)
    local key = t.id()
    follow.start {
      key = key,
      source = { http = { url = url .. "/ndjson?total=9&cut=4", resume = "after" } },
      format = "ndjson",
      cursor = 2,
    }
    delivered(t, key, 9)
    follow.stop(key, { wait_ms = 20000 })
  end),

  ["a stream that replays ends by itself"] = with_server(function(t, url)
    local key = t.id()
    follow.start {
      key = key,
      source = { http = { url = url .. "/chunks?total=6&cut=2" }, resume = "replay" },
      format = "chunks",
    }
    gone(t, key)
  end),

  ["frames are read once when nothing says how to resume"] = with_server(function(t, url)
    local key = t.id()
    follow.start { key = key, source = { http = { url = url .. "/frames?total=6" } }, format = "frames" }
    gone(t, key)
  end),

  ["an upstream that is not there is tried again until it is stopped"] = function(t)
    local key = t.id()
    follow.start { key = key, source = { http = { url = "http://127.0.0.1:1/" }, resume = "after" }, format = "ndjson" }
    t.wait(function()
      return (entry(key).error or ""):find "127.0.0.1:1"
    end)
    t.eq(entry(key).state, "waiting")
    t.eq(follow.stop(key, { wait_ms = 20000 }), true)
  end,

  ["cursors of another format and headers of two lines are invalid"] = function(t)
    local path = t.tmpdir() .. "/log"
    t.fails("invalid", follow.start { key = t.id(), source = { file = path }, format = "lines", cursor = "x" })
    t.fails(
      "invalid",
      follow.start {
        key = t.id(),
        source = { http = { url = "http://127.0.0.1/", headers = { a = "b\nc" } } },
        format = "sse",
      }
    )
  end,

  ["misuse raises"] = function(t)
    local function misuse(pattern, change)
      local spec = { key = "k", source = { file = "/none" }, format = "lines" }
      for name, value in pairs(change) do
        spec[name] = value
      end
      t.raises(follow.start, pattern, spec)
    end
    misuse("unknown option 'nope'", { nope = 1 })
    misuse("a key is a string", { key = "" })
    misuse("a key is a string", { key = ("k"):rep(201) })
    misuse("'format' is", { format = "xml" })
    misuse("'source' wants a file or http", { source = {} })
    misuse("unknown option 'path'", { source = { path = "/x" } })
    misuse("followed in the format 'lines'", { format = "sse" })
    misuse("'resume' is", { source = { http = { url = "http://x/" }, resume = "so" } })
    misuse("'url' is missing", { source = { http = {} } })
    misuse("'job' is the name of a file", { job = "../x" })
    misuse("'topic' has", { topic = "" })
    misuse("'batch_max' must be", { batch_max = 0 })
    misuse("'data'", { data = { f = print } })
    t.raises(follow.stop, "string expected", nil)
    t.raises(follow.stop, "unknown option", "k", { nope = 1 })
  end,
}
