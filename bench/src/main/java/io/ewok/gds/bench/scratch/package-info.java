/** Directories that benchmarks write to, which nobody finds afterwards. */
package io.ewok.gds.bench.scratch;
