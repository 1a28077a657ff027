import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Assertions whose message says what was seen and what was expected. */
final class Check {
    static final long TIMEOUT_S = 30;
    private static final Duration PAUSE = Duration.ofMillis(20);

    private Check() {}

    static final class Failed extends RuntimeException {
        private static final long serialVersionUID = 1;

        Failed(String message) {
            super(message);
        }
    }

    static void require(boolean condition, String format, Object... arguments) {
        if (!condition) throw new Failed(String.format(format, arguments));
    }

    static void equal(String what, Object actual, Object expected) {
        boolean equal = actual instanceof Number a && expected instanceof Number e
                ? a.longValue() == e.longValue() : Objects.equals(actual, expected);
        if (!equal) throw new Failed(what + " is " + actual + ", expected " + expected);
    }

    /** The result, within the deadline; a failure is thrown as itself. */
    static <T> T get(Future<T> future) throws Exception {
        try {
            return future.get(TIMEOUT_S, TimeUnit.SECONDS);
        } catch (ExecutionException failure) {
            if (failure.getCause() instanceof Exception cause) throw cause;
            throw failure;
        }
    }

    /** Requires exactly this exception and returns it. */
    static <E extends Exception> E fails(String what, Class<E> expected, Callable<?> action) {
        Object result;
        try {
            result = action.call();
        } catch (Failed failed) {
            throw failed;
        } catch (Exception actual) {
            Exception cause = actual instanceof ExecutionException && actual.getCause() instanceof Exception inner ? inner : actual;
            require(cause.getClass() == expected, "%s fails with %s, expected %s", what, cause, expected.getSimpleName());
            return expected.cast(cause);
        }
        throw new Failed(what + " succeeds with " + result + ", expected " + expected.getSimpleName());
    }

    static <E extends Exception> E fails(String what, Class<E> expected, Future<?> future) {
        return fails(what, expected, () -> get(future));
    }

    /** Repeats until the check passes; after the deadline the last failure is the failure. */
    static void eventually(Action check) throws Exception {
        eventually(TIMEOUT_S, check);
    }

    static void eventually(long seconds, Action check) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        while (true) {
            try {
                check.run();
                return;
            } catch (Exception failure) {
                if (System.nanoTime() > end) throw failure;
            }
            LockSupport.parkNanos(PAUSE.toNanos());
        }
    }

    interface Action {
        void run() throws Exception;
    }
}
