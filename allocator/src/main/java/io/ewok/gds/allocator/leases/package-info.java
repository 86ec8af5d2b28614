/**
 * The page store's way to keep a region mapped while only the kernel uses it. Exported to the page
 * store alone: a lease given back by somebody who did not take it would let memory be unmapped
 * under a transfer.
 */
package io.ewok.gds.allocator.leases;
