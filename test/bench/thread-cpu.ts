/**
 * CPU time of this thread so far, user and system, in microseconds. By itself `threadCpuUsage` is as of the kernel's last tick, up to 4 ms
 * ago; the CPU time of the whole process is worked out anew, and with it that of the thread that asks.
 */
export function threadCpuMicroseconds(): number {
  process.cpuUsage();
  const { user, system } = process.threadCpuUsage();
  return user + system;
}
