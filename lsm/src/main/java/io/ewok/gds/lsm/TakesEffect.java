package io.ewok.gds.lsm;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Says of an option when a change takes effect: of a component of options, or of all components of
 * a type. Those that can be changed while a store is open have a {@link StoreSetting}, by which
 * {@link Store#change} changes them, and which says the same.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.RECORD_COMPONENT, ElementType.METHOD, ElementType.TYPE})
public @interface TakesEffect {
  /** Returns when. */
  StoreSetting.Effect value();
}
