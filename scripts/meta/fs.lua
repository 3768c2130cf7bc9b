---@meta gander.fs
-- Files of the host, and trees that a sandbox controls (the *_beneath functions: no link leads out of them).
-- SPDX-License-Identifier: Apache-2.0

---@class gander.fs
local fs = {}

---@class gander.fs.Entry
---@field name string
---@field kind "file"|"directory"|"link"|"other"

--- Make a file that is not there yet: of several who try, one succeeds.
---@param path string
---@param text string
---@return boolean?
---@return string? message
---@return string? code "conflict": it is there
function fs.claim(path, text) end

--- Bytes free on the disk of a path.
---@param path string
---@return integer?
---@return string? message
---@return string? code
function fs.disk_free(path) end

--- What a symbolic link says.
---@param path string
---@return string?
---@return string? message
---@return string? code
function fs.link_target(path) end

--- The entries of a directory, in no order.
---@param path string
---@return gander.fs.Entry[]?
---@return string? message
---@return string? code
function fs.list(path) end

---@param root string
---@param path string within root
---@return gander.fs.Entry[]?
---@return string? message
---@return string? code "denied": it leads out
function fs.list_beneath(root, path) end

--- Who holds a POSIX lock on a file; nil when nobody does.
---@param path string
---@return integer? pid
---@return string? message
---@return string? code
function fs.lock_holder(path) end

--- Make a directory and its parents; one that is there is left as it is.
---@param path string
---@param options? {mode?: integer, uid?: integer} mode default 0700
---@return boolean?
---@return string? message
---@return string? code
function fs.mkdir(path, options) end

--- Make a FIFO; true also when it is there.
---@param path string
---@return boolean?
---@return string? message
---@return string? code
function fs.mkfifo(path) end

--- A regular file below root, to be read in pieces.
---@param root string
---@param path string
---@return gander.File?
---@return string? message
---@return string? code "denied": it leads out
function fs.open_beneath(root, path) end

--- One write to a file of /proc or /sys.
---@param path string
---@param text string
---@return boolean?
---@return string? message
---@return string? code
function fs.poke(path, text) end

--- Give the bytes before `offset` back to the disk; size and later offsets stay.
---@param path string
---@param offset integer
---@return boolean?
---@return string? message
---@return string? code
function fs.punch(path, offset) end

--- A whole file, or a part of it.
---@param path string
---@param options? {max?: integer, offset?: integer, part?: boolean} max default 1 MiB; more is "invalid" unless `part`
---@return string?
---@return string? message
---@return string? code
function fs.read(path, options) end

---@param root string
---@param path string
---@param options? {max?: integer, part?: boolean}
---@return string?
---@return string? message
---@return string? code "denied": it leads out
function fs.read_beneath(root, path, options) end

--- Remove a file or a whole tree, following no link; true also when nothing is there.
---@param path string
---@return boolean?
---@return string? message
---@return string? code
function fs.remove(path) end

---@param from string
---@param to string
---@return boolean?
---@return string? message
---@return string? code
function fs.rename(from, to) end

--- Remove an empty directory; true also when nothing is there.
---@param path string
---@return boolean?
---@return string? message
---@return string? code
function fs.rmdir(path) end

--- Bytes of a file; nil when nothing is there.
---@param path string
---@return integer?
---@return string? message
---@return string? code
function fs.size(path) end

--- A gzip'd tar archive of files; the same files give the same bytes.
---@param files {path: string, mode?: integer, text: string}[] mode default 0644
---@return string?
---@return string? message
---@return string? code
function fs.targz(files) end

--- Disk space of a tree, links not followed.
---@param path string
---@param options? {max?: integer} entries looked at, default 200000
---@return integer? bytes
---@return boolean|string whole false: it has more entries than max
---@return string? code
function fs.usage(path, options) end

--- Readers see the old or the new text, also after a power cut.
---@param path string
---@param text string
---@param options? {mode?: integer, uid?: integer, sync?: boolean} mode default 0600; sync=false: a power cut may lose it
---@return boolean?
---@return string? message
---@return string? code
function fs.write_atomic(path, text, options) end

--- Make or replace a file below root; missing directories are made.
---@param root string
---@param path string
---@param text string
---@param options? {mode?: integer, uid?: integer, sync?: boolean} mode default 0644
---@return boolean?
---@return string? message
---@return string? code "denied": it leads out
function fs.write_beneath(root, path, text, options) end

---@class gander.File
local File = {}

--- The next bytes; nil at the end.
---@param n? integer default 64 KiB
---@return string?
---@return string? message
---@return string? code
function File:read(n) end

--- Bytes of the whole file.
---@return integer
function File:size() end

function File:close() end

return fs
