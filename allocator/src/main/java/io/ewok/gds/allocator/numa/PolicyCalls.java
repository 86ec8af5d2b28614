package io.ewok.gds.allocator.numa;

import io.ewok.gds.ffm.ErrnoException;
import io.ewok.gds.ffm.LinuxMemory;
import io.ewok.gds.ffm.LinuxMemory.MemoryPolicy;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;

/** The three system calls behind a {@link Placement}, so that tests can be another kernel. */
interface PolicyCalls {
  /** The kernel that runs us. */
  PolicyCalls KERNEL =
      new PolicyCalls() {
        @Override
        public void mbind(MemorySegment memory, int mode, BitSet nodes) throws ErrnoException {
          LinuxMemory.mbind(memory, mode, nodes, 0);
        }

        @Override
        public MemoryPolicy getMempolicy(long address) throws ErrnoException {
          return LinuxMemory.getMempolicy(address);
        }

        @Override
        public int[] movePagesQuery(long[] addresses) throws ErrnoException {
          return LinuxMemory.movePagesQuery(addresses);
        }
      };

  /** As {@link LinuxMemory#mbind}, without flags. */
  void mbind(MemorySegment memory, int mode, BitSet nodes) throws ErrnoException;

  /** As {@link LinuxMemory#getMempolicy}. */
  MemoryPolicy getMempolicy(long address) throws ErrnoException;

  /** As {@link LinuxMemory#movePagesQuery}. */
  int[] movePagesQuery(long[] addresses) throws ErrnoException;
}
