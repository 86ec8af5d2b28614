/**
 * Files by direct I/O: an engine, the files it opens, and requests that run while their caller does
 * something else.
 *
 * <p>Not here: caching, page contents, logs.
 *
 * <p>Nouns: an <em>engine</em> is a way to the kernel (URING, POOL) or around it (SIM, package
 * {@code sim}). A <em>file</em>, regular or a block device, is open until closed and poisoned by a
 * failed sync. A <em>request</em> is one operation in flight, awaited or told to a
 * <em>completion</em>. Memory is given as region, offset and length, and stays leased while the
 * kernel may touch it.
 *
 * <p>Threads: any, unless a class says otherwise. Null is never accepted, and returned only where
 * said.
 *
 * <p>The URING engine has one or several reactors ({@code reactor.count}, placed by {@code
 * reactor.cpus} or {@code reactor.nodes}), each with a ring that knows all files and regions. What
 * a fiber of one of them transfers stays on its ring; otherwise the ring is one on the node where
 * the memory lies, or the thread's. Limits hold for all of them together, the queue depth for each.
 * {@code io.sq-poll} and {@code io.io-poll} trade processor time for latency, where the kernel
 * does.
 *
 * <pre>{@code
 * IoEngine engine = IoEngines.open(EngineOptions.defaults());
 * IoFile file = engine.open(path, OpenMode.CREATE_NEW);
 * file.write(0, region, 0, 4096);
 * file.sync();
 * engine.syncDirectory(path.getParent());
 * }</pre>
 */
package io.ewok.gds.pagestore;
