package io.ewok.gds.bench;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/**
 * A continuation of the JDK's inside, of which virtual threads are made: does something over and
 * over, and is left after each time. Needs {@code
 * --add-exports=java.base/jdk.internal.vm=ALL-UNNAMED}.
 */
final class BareContinuation {
  private static final MethodHandle RUN;
  private static final MethodHandle LEAVE;
  private static final MethodHandle MAKE;
  private static final Object SCOPE;

  static {
    try {
      Class<?> type = Class.forName("jdk.internal.vm.Continuation");
      Class<?> scope = Class.forName("jdk.internal.vm.ContinuationScope");
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      RUN =
          lookup
              .findVirtual(type, "run", MethodType.methodType(void.class))
              .asType(MethodType.methodType(void.class, Object.class));
      LEAVE =
          lookup
              .findStatic(type, "yield", MethodType.methodType(boolean.class, scope))
              .asType(MethodType.methodType(boolean.class, Object.class));
      MAKE = lookup.findConstructor(type, MethodType.methodType(void.class, scope, Runnable.class));
      SCOPE = scope.getConstructor(String.class).newInstance("bench");
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final Object continuation;

  BareContinuation(Runnable step) {
    try {
      continuation = MAKE.invoke(SCOPE, (Runnable) () -> repeat(step));
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private static void repeat(Runnable step) {
    while (true) {
      step.run();
      try {
        boolean unused = (boolean) LEAVE.invokeExact(SCOPE);
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /** Does one step and comes back. */
  void run() {
    try {
      RUN.invokeExact(continuation);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }
}
