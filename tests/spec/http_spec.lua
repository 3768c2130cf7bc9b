-- gander.http against a small server of its own: what is sent, what comes back, and every way it can fail.
-- SPDX-License-Identifier: Apache-2.0
local fs = require "gander.fs"
local http = require "gander.http"
local json = require "gander.json"
local process = require "gander.process"

-- Run fn with the server's URL and close it afterwards.
local function with_server(fn)
  return function(t)
    local server <close> = t.load("tests/support/echo.lua").start()
    fn(t, server.url, server)
  end
end

local function echo(options)
  local answer = assert(http.request(options))
  return json.decode(answer.body), answer
end

return {
  ["a request sends what it was given, and no more"] = with_server(function(t, url)
    local seen = echo {
      url = url .. "/echo?a=1&b=%20",
      headers = { ["X-One"] = "1", ["X-List"] = { "a", "b" }, ["X-Empty"] = "" },
    }
    t.eq({ seen.method, seen.url, seen.body }, { "GET", "/echo?a=1&b=%20", "" })
    t.eq({ seen.headers["x-one"], seen.headers["x-list"], seen.headers["x-empty"] }, { "1", "a, b", "" })
    t.eq({ seen.headers["content-type"], seen.headers["expect"] }, {})
  end),

  ["a body is posted unless a method is named"] = with_server(function(t, url)
    local body = ("x\0y"):rep(2000)
    local seen = echo { url = url .. "/echo", body = body }
    t.eq({ seen.method, seen.body, seen.headers["content-length"] }, { "POST", body, "6000" })
    t.eq({ seen.headers["content-type"], seen.headers["expect"] }, {})
    t.eq(echo({ url = url .. "/echo", method = "PATCH", body = "{}" }).method, "PATCH")
    t.eq(echo({ url = url .. "/echo", method = "DELETE" }).method, "DELETE")
    t.eq(echo({ url = url .. "/echo", method = "POST" }).headers["content-length"], "0")
  end),

  ["a body comes from a file"] = with_server(function(t, url)
    local path = t.tmpdir() .. "/body"
    fs.write_atomic(path, "from a file")
    t.eq(echo({ url = url .. "/echo", method = "PUT", body_file = path }).body, "from a file")
    t.fails("not_found", http.request { url = url .. "/echo", body_file = path .. ".none" })
  end),

  ["an answer of any status is an answer"] = with_server(function(t, url)
    for _, status in ipairs { 200, 204, 404, 503 } do
      t.eq(http.request({ url = url .. "/status/" .. status }).status, status)
    end
    t.eq(http.request({ url = url .. "/status/503" }).body, "as asked")
  end),

  ["HEAD has headers and no body"] = with_server(function(t, url)
    local answer = http.request { url = url .. "/bytes/5", method = "HEAD" }
    t.eq({ answer.status, answer.body, answer.headers["content-length"] }, { 200, "", "5" })
  end),

  ["headers come in lower case, repeated ones joined"] = with_server(function(t, url)
    local headers = http.request({ url = url .. "/headers" }).headers
    t.eq({ headers["x-two"], headers["set-cookie"] }, { "one, two", "a=1\nb=2" })
  end),

  ["redirects are followed only when asked, and counted"] = with_server(function(t, url)
    t.eq(http.request({ url = url .. "/redirect?to=/status/200" }).status, 302)
    t.eq(http.request({ url = url .. "/redirect?to=/status/200", redirects = 1 }).status, 200)
    t.fails("unavailable", http.request { url = url .. "/redirect?to=/redirect?to=/status/200", redirects = 1 })
    t.eq(echo({ url = url .. "/redirect?to=/echo", method = "POST", body = "x", redirects = 1 }).method, "GET")
    t.fails("invalid", http.request { url = url .. "/redirect?to=file:///etc/hostname", redirects = 1 })
  end),

  ["a body over max_body is refused"] = with_server(function(t, url)
    t.eq(#http.request({ url = url .. "/bytes/1000", max_body = 1000 }).body, 1000)
    t.ok(t.fails("invalid", http.request { url = url .. "/bytes/1000", max_body = 999 }):find "max_body %(999 bytes%)")
    t.fails("invalid", http.request { url = url .. "/bytes/1000?chunked", max_body = 999 })
  end),

  ["a sink takes the body of a success"] = with_server(function(t, url)
    local path = t.tmpdir() .. "/sink"
    t.eq(http.request({ url = url .. "/bytes/100000", sink = { file = path } }).body, "")
    t.eq(#fs.read(path), 100000)
    t.eq(http.request({ url = url .. "/status/404", sink = { file = path .. "2" } }).body, "as asked")
    t.fails("not_found", fs.read(path .. "2"))
    t.fails("invalid", http.request { url = url .. "/bytes/1000", sink = { file = path .. "3" }, max_body = 10 })
    t.fails("not_found", fs.read(path .. "3"))
  end),

  ["a silent or stalled server times out"] = with_server(function(t, url)
    t.fails("timeout", http.request { url = url .. "/hang", timeout_ms = 100 })
    t.fails("timeout", http.request { url = url .. "/stall", timeout_ms = 100 })
  end),

  ["a connection that is refused or broken is unavailable"] = with_server(function(t, url, server)
    t.fails("unavailable", http.request { url = url .. "/reset" })
    server.process:kill "KILL"
    server.process:wait(20000)
    t.fails("unavailable", http.request { url = url .. "/echo" })
    t.fails("unavailable", http.request { url = "http://localhost/", unix = t.tmpdir() .. "/none.sock" })
  end),

  ["a connection is used again"] = with_server(function(t, url)
    local seen = {}
    for i = 1, 3 do
      seen[i] = http.request({ url = url .. "/connections" }).body
    end
    t.eq(seen, { "1", "2", "3" })
  end),

  ["a request goes into the namespace it names, never over another's connection"] = function(t)
    local inside = { "unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh" }
    local can = process.run { argv = { "unshare", "-n", "ip", "link", "set", "lo", "up" } }
    if not can or can.code ~= 0 then t.skip "no network namespace can be made here" end
    local echo_server = t.load "tests/support/echo.lua"
    local one <close> = echo_server.start(inside, 3001)
    local two <close> = echo_server.start(inside, 3001)
    for _ = 1, 2 do
      for _, server in ipairs { one, two } do
        local answer = assert(http.request { url = "http://127.0.0.1:3001/pid", netns = server.process })
        t.eq(answer.body, tostring(server.process:pid()))
      end
    end
  end,

  ["only http and https URLs, names and lines are sent"] = function(t)
    t.fails("invalid", http.request { url = "ftp://127.0.0.1/" })
    t.fails("invalid", http.request { url = "file:///etc/hostname" })
    t.fails("invalid", http.request { url = "no url" })
    t.fails("invalid", http.request { url = "http://127.0.0.1/", method = "GET /x" })
    t.fails("invalid", http.request { url = "http://127.0.0.1/", headers = { ["a b"] = "x" } })
    t.fails("invalid", http.request { url = "http://127.0.0.1/", headers = { a = "x\r\nb: y" } })
    t.fails("invalid", http.request { url = "http://127.0.0.1/", headers = { a = { "x", "y\n" } } })
  end,

  ["messages name the URL without query or password"] = with_server(function(t, url)
    local message =
      t.fails("timeout", http.request { url = url:gsub("//", "//u:secret@") .. "/hang?key=secret", timeout_ms = 50 })
    t.ok(message:find("/hang", 1, true) and not message:find "secret", message)
  end),

  ["misuse raises"] = function(t)
    local function misuse(options, pattern)
      t.raises(http.request, pattern, options)
    end
    misuse({}, "'url' is missing")
    misuse({ url = 5 }, "'url' must be a string")
    misuse({ url = "http://x/", nope = 1 }, "unknown option 'nope'")
    misuse({ url = "http://x/", timeout_ms = 0 }, "'timeout_ms' must be an integer")
    misuse({ url = "http://x/", headers = { a = 1 } }, "a header is a string")
    misuse({ url = "http://x/", headers = { "a" } }, "a header's name is a string")
    misuse({ url = "http://x/", netns = 5 }, "'netns' must be a gander.Process")
    misuse({ url = "http://x/", body = "a", body_file = "b" }, "exclude each other")
    misuse({ url = "http://x/", sink = {} }, "'sink' wants a file")
    local child <close> = process.spawn { argv = { "true" } }
    child:wait(20000)
    child:close()
    misuse({ url = "http://x/", netns = child }, "closed gander.Process")
  end,
}
