/**
 * Memory by raw address, for the processor and for the kernel, with nothing checked: the price of a
 * field access, and the dangers of C.
 *
 * <p>Exported to the modules of GDS only. Whoever calls guarantees that the address lies in memory
 * that is mapped and stays mapped during the call; a wrong address ends the process. What leaves a
 * module's public API is a segment with the scope of its region, never an address.
 */
package io.ewok.gds.ffm.unchecked;
