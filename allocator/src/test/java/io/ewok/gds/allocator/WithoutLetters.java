package io.ewok.gds.allocator;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;

/**
 * A test of where exactly memory lies, or of what a call costs, which is what {@link DebugLetters}
 * change. The build runs all tests without letters, and all but these with them.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@DisabledIfSystemProperty(
    named = DebugLetters.PROPERTY,
    matches = ".+",
    disabledReason = "letters change where memory lies and what calls cost")
@interface WithoutLetters {}
