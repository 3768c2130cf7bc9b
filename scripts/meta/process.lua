---@meta gander.process
-- Child processes: nothing is inherited but what is named, and each is held by a pidfd.
-- SPDX-License-Identifier: Apache-2.0

---@class gander.process
local process = {}

--- One descriptor of a child. Exactly one of `append`, `data`, `hold`, `listen`, `ns`, `open`, `read`, `seccomp`.
---@class gander.process.Fd
---@field append? string a file, made if missing, opened for appending
---@field data? string bytes to be read
---@field hold? boolean the other end stays here: Process:read, :write, :release
---@field listen? integer a TCP port that listens on 127.0.0.1 in the network of the process `of`
---@field ns? "net"|"user" the network namespace of the process `of`, or the user namespace that owns it
---@field of? gander.Process
---@field open? string a file, device or FIFO, opened for reading and writing
---@field read? string a file, opened for reading
---@field seccomp? boolean the system call filter of sandboxes, as BPF

---@class gander.process.Spec
---@field argv string[] 1 to 4096; the first is searched in PATH
---@field env? table<string, string> the whole environment; without it PATH, HOME and LANG of the host
---@field cwd? string default "/"
---@field fds? table<integer, gander.process.Fd> 0 to 31; 0, 1 and 2 are /dev/null where not named
---@field uid? integer the user and group to become (root only)
---@field stage? table<string, string> host path -> path below /run/stage, where the child sees it (root only)
---@field cgroup? string[] at most 8 directories of control groups to join
---@field setsid? boolean a session of its own

---@class gander.process.RunSpec : gander.process.Spec
---@field timeout_ms? integer default 30000; then the whole session is killed
---@field max? integer bytes kept of each output, default 1 MiB, at most 8 MiB

---@class gander.process.Result
---@field code? integer exit code
---@field signal? integer the signal that ended it
---@field out string
---@field err string
---@field cut boolean there was more output than `max`

--- Start a child. It runs on when the handle is closed.
---@param spec gander.process.Spec
---@return gander.Process?
---@return string? message
---@return string? code
function process.spawn(spec) end

--- Start a child, wait for its end, collect its output. Nothing it started is left running.
---@param spec gander.process.RunSpec
---@return gander.process.Result?
---@return string? message
---@return string? code "timeout"
function process.run(spec) end

--- Take hold of a process that runs: nil when it ended, or when another has its number now.
---@param pid integer
---@param start_time? integer from Process:start_time(); 0 takes any
---@return gander.Process?
---@return string? message
---@return string? code
function process.adopt(pid, start_time) end

---@class gander.Process
local Process = {}

---@return boolean
function Process:alive() end

--- Send a signal; true also when it ended before.
---@param signal? "TERM"|"KILL"|"INT"|"HUP"|"STOP"|"CONT" default "TERM"
---@return boolean?
---@return string? message
---@return string? code
function Process:kill(signal) end

---@return integer
function Process:pid() end

--- Some bytes from a held descriptor, at most 4 KiB; "" at its end.
---@param number integer
---@param ms integer
---@return string?
---@return string? message
---@return string? code "timeout"
function Process:read(number, ms) end

--- Close a held descriptor, or all.
---@param number? integer
---@return boolean
function Process:release(number) end

--- Clock ticks since boot: with the pid, the name of a process that no other ever has.
---@return integer
function Process:start_time() end

--- Wait for the end. The table is empty for an adopted process: how it ended is not known.
---@param ms integer
---@return {code?: integer, signal?: integer}?
---@return string? message
---@return string? code "timeout": it still runs
function Process:wait(ms) end

---@param number integer
---@param text string
---@return boolean?
---@return string? message
---@return string? code
function Process:write(number, text) end

--- Let go; the process runs on.
function Process:close() end

return process
