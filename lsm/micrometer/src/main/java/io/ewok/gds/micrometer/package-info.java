/**
 * Meters of a store for <a href="https://micrometer.io">Micrometer</a>: what {@link
 * io.ewok.gds.lsm.Store#stats} tells, under names that monitoring systems understand.
 *
 * {@snippet :
 * new StoreMetrics(store, Tags.of("store", "orders")).bindTo(registry);
 * }
 */
package io.ewok.gds.micrometer;
