"""What each size of effort takes and reaches."""
