-- gander.fs: files of the host, and trees that a sandbox controls.
-- SPDX-License-Identifier: Apache-2.0
local fs = require "gander.fs"
local process = require "gander.process"

local function sh(dir, script)
  return process.run { argv = { "/bin/sh", "-ec", script }, cwd = dir }
end

local function names(list)
  local all = {}
  for i, entry in ipairs(list) do
    all[i] = entry.name .. ":" .. entry.kind
  end
  table.sort(all)
  return table.concat(all, " ")
end

return {
  ["write_atomic and read"] = function(t)
    local file = t.tmpdir() .. "/a"
    t.ok(fs.write_atomic(file, "one\0two", { mode = 416 }))
    t.eq(fs.read(file), "one\0two")
    t.ok(fs.write_atomic(file, "three"))
    t.eq(fs.read(file), "three")
    t.eq(names(fs.list(t.tmpdir())), names(fs.list(t.tmpdir())))
  end,

  ["read has a limit, an offset and parts"] = function(t)
    local file = t.tmpdir() .. "/a"
    fs.write_atomic(file, "0123456789")
    t.eq(fs.read(file, { max = 10 }), "0123456789")
    t.fails("invalid", fs.read(file, { max = 9 }))
    t.eq(fs.read(file, { max = 3, offset = 4, part = true }), "456")
    t.fails("not_found", fs.read(file .. "x"))
    t.eq(fs.size(file), 10)
    t.eq(fs.size(file .. "x"), nil)
  end,

  ["mkdir makes parents and is repeatable"] = function(t)
    local dir = t.tmpdir() .. "/a/b/c"
    t.ok(fs.mkdir(dir))
    t.ok(fs.mkdir(dir))
    t.eq(names(fs.list(dir .. "/..")), "c:directory")
    fs.write_atomic(dir .. "/file", "")
    t.ok(fs.mkdir(dir .. "/file") == nil)
  end,

  ["remove takes a tree and follows no link"] = function(t)
    local dir = t.tmpdir()
    sh(
      dir,
      [[
      mkdir -p tree/sub out; touch out/kept tree/sub/f
      ln -s ../../out tree/sub/link; ln -s ../out tree/link; chmod 0 tree/sub
    ]]
    )
    t.ok(fs.remove(dir .. "/tree"))
    t.eq(names(fs.list(dir)), "out:directory")
    t.eq(names(fs.list(dir .. "/out")), "kept:file")
    t.ok(fs.remove(dir .. "/tree"))
  end,

  ["remove takes a tree of any depth"] = function(t)
    local dir = t.tmpdir()
    local script = "mkdir top; cd top; for i in $(seq 200); do mkdir 123456789012345; cd 123456789012345; done; echo ok"
    t.eq(sh(dir, script).out, "ok\n")
    t.ok(fs.remove(dir .. "/top"))
    t.eq(fs.size(dir .. "/top"), nil)
  end,

  ["read_beneath stays in its tree"] = function(t)
    local dir = t.tmpdir()
    sh(
      dir,
      [[
      mkdir root; echo secret >secret; echo in >root/in; mkfifo root/pipe; ln -s in root/same
      ln -s ../secret root/up; ln -s /etc/passwd root/abs; ln -s /proc/self/root root/magic
    ]]
    )
    local root = dir .. "/root"
    t.eq(fs.read_beneath(root, "in"), "in\n")
    t.eq(fs.read_beneath(root, "/same"), "in\n")
    t.fails("denied", fs.read_beneath(root, "up"))
    t.fails("denied", fs.read_beneath(root, "abs"))
    t.fails("denied", fs.read_beneath(root, "../secret"))
    t.fails("invalid", fs.read_beneath(root, "pipe"))
    t.ok(fs.read_beneath(root, "magic/etc/passwd") == nil)
    t.fails("not_found", fs.read_beneath(root, "none"))
    t.fails("denied", fs.list_beneath(root, ".."))
    t.ok(names(fs.list_beneath(root, "/")):find "in:file")
  end,

  ["write_beneath stays in its tree and replaces links"] = function(t)
    local dir = t.tmpdir()
    sh(dir, "mkdir root out && echo old >out/f && ln -s ../out root/out && ln -s ../out/f root/f")
    local root = dir .. "/root"
    t.ok(fs.write_beneath(root, "a/b/c", "new"))
    t.eq(fs.read_beneath(root, "a/b/c"), "new")
    t.fails("denied", fs.write_beneath(root, "out/x", "new"))
    t.fails("denied", fs.write_beneath(root, "../x", "new"))
    t.fails("invalid", fs.write_beneath(root, "a/..", "new"))
    t.ok(fs.write_beneath(root, "f", "new"))
    t.eq(fs.read(dir .. "/out/f"), "old\n")
    t.eq(names(fs.list(dir .. "/out")), "f:file")
  end,

  ["open_beneath gives a file in pieces"] = function(t)
    local dir = t.tmpdir()
    fs.write_atomic(dir .. "/f", "0123456789")
    local f <close> = t.ok(fs.open_beneath(dir, "f"))
    t.eq({ f:size(), f:read(6), f:read(6), f:read(6) }, { 10, "012345", "6789" })
    f:close()
    t.raises(function()
      f:read(1)
    end, "closed gander.File")
  end,

  ["punch frees the start and keeps offsets"] = function(t)
    local dir = t.tmpdir()
    fs.write_atomic(dir .. "/log", ("x"):rep(1 << 20) .. "end")
    local before = fs.usage(dir)
    t.ok(fs.punch(dir .. "/log", 1 << 20))
    t.eq(fs.size(dir .. "/log"), (1 << 20) + 3)
    t.eq(fs.read(dir .. "/log", { offset = 1 << 20 }), "end")
    t.ok(fs.usage(dir) < before)
  end,

  ["lock_holder names who holds a lock"] = function(t)
    local file = t.tmpdir() .. "/lock"
    fs.write_atomic(file, "")
    t.eq({ fs.lock_holder(file) }, {})
    t.fails("not_found", fs.lock_holder(file .. "x"))
  end,

  ["targz is an archive that tar reads"] = function(t)
    local dir = t.tmpdir()
    local long = ("d/"):rep(60) .. "file"
    local bytes = fs.targz { { path = "a.txt", mode = 493, text = "hello" }, { path = long, text = ("x"):rep(2000) } }
    fs.write_atomic(dir .. "/a.tgz", bytes)
    t.eq(sh(dir, "tar xzf a.tgz && cat a.txt && test -x a.txt && wc -c <" .. long).out, "hello2000\n")
    t.fails("invalid", fs.targz { { path = "../x", text = "" } })
    t.fails("invalid", fs.targz { { path = "/x", text = "" } })
  end,

  ["disk_free and usage"] = function(t)
    t.ok(fs.disk_free(t.tmpdir()) > 0)
    local dir = t.tmpdir()
    for i = 1, 3 do
      fs.write_atomic(dir .. "/" .. i, "x")
    end
    local _, whole = fs.usage(dir, { max = 2 })
    t.eq(whole, false)
  end,
}
