//! The frames of the spinner.

const FRAMES: &str = "⠁⠁⠉⠙⠚⠒⠂⠂⠒⠲⠴⠤⠄⠄⠤⠠⠠⠤⠦⠖⠒⠐⠐⠒⠓⠋⠉⠈⠈";

/// Returns the frame of that number; after the last one comes the first.
pub fn frame(number: u64) -> char {
    let at = usize::try_from(number).unwrap_or(0) % FRAMES.chars().count();
    FRAMES.chars().nth(at).unwrap_or(' ')
}
